import { count } from '../screen.ts';
import type { Play } from './telling.ts';

/** What all of it has cost Attio. */
export function summary({ screen, checks, stage }: Play): void {
  const { counts, statuses, total } = stage.sandbox.sandbox.requests();
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  for (const [route, times] of rows) screen.say(`${count(times).padStart(5)}  ${route}`);
  screen.say(
    `${count(total).padStart(5)}  in all (one of them registered the webhook, ${count(stage.writes)} wrote records), for ${count(stage.deliveries.accepted)} webhooks; ${count(statuses['503'] ?? 0)} answered 503 while Attio was down, ${count(statuses['429'] ?? 0)} refused by the rate limit`,
  );
  checks.equal('requests refused by the rate limit', statuses['429'] ?? 0, 0);
}
