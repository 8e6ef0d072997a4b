import { keepCompiled } from './compile-cache.ts';

keepCompiled();
// After that, because what is imported above this line is compiled before it.
const { runService } = await import('./app/run.ts');
await runService();
