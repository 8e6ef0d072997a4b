/**
 * The process. JavaScript, because the first TypeScript that Node meets costs 0.1 s and 12 MB for what strips types, and
 * with what was kept of the last start nothing else needs it.
 */
import { setFlagsFromString } from 'node:v8';
import './compile-cache.js';

// After that, because what is imported above this line is compiled before it.
const { runService } = await import('./app/run.ts');
await runService();
setFlagsFromString('--semi-space-growth-factor=2');
