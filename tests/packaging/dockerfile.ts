/** One instruction of a Dockerfile, on one line. */
export interface Instruction {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** The stages of a Dockerfile, each from its FROM to the next. */
export function stagesOf(text: string): Instruction[][] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.split(' ');
    const from = words.findIndex((word) => !word.startsWith('--'));
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, flags: words.slice(0, from), rest: words.slice(from).join(' ') });
  }
  return stages;
}

/** What stages take out of the build's context, without what they take from each other. */
export function sourcesOf(stage: readonly Instruction[]): string[] {
  return stage
    .filter(({ name, flags }) => name === 'COPY' && !flags.some((flag) => flag.startsWith('--from=')))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
}
