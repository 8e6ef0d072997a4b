/**
 * Loaded by `--import` into a process that is measured: it answers on the channel what it has used so far (`Usage` in
 * `measured-process.ts`). With its parent it ends, and it does not keep the process alive. Plain JavaScript, because
 * what strips types would be part of what is measured.
 */
function usage() {
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

process.on('message', (id) => process.send?.({ id, usage: usage() }));
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
