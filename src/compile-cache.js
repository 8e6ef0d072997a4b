import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Keeps what Node makes of the sources, so that the next start need not strip types and compile again. It lies beside
 * the code, where only who may change the code can write; where nobody can, starts are slower and nothing else.
 */
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/attio-bridge', import.meta.url)));
