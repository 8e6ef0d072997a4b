import manifest from '../../package.json' with { type: 'json' };

/** How `npm start` starts the service: `node`, its options, and the script within the project. */
const [, ...rest] = manifest.scripts.start.split(' ');
export const SCRIPT = rest.at(-1) ?? '';
export const NODE_OPTIONS = rest.slice(0, -1);
