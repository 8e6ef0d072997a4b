import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/*
 * The space for new objects stays as small as it is at first while all is loaded, which leaves 20 MB less in use by a
 * service at rest. Who has loaded all sets it to 2, as it is by default. Here, because V8 takes no code from a process whose flags were others.
 */
setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Keeps what Node makes of the sources, so that the next start need not strip types and compile again. It lies beside
 * the code, where only who may change the code can write; where nobody can, starts are slower and nothing else.
 */
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/attio-bridge', import.meta.url)));
