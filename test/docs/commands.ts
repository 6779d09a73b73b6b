/** Shell blocks of the pages, read as commands. */

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Words of a line of shell; quotes group them. Substitutions and globs are not known here. */
const words = (text: string): string[] =>
  [...text.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/["']/g, ''),
  );

/** Everything before a redirection: what a command prints is not looked at here. */
const beforeRedirection = (args: readonly string[]): readonly string[] => {
  const at = args.findIndex((arg) => /^\d?>/.test(arg));
  return at < 0 ? args : args.slice(0, at);
};

/** The commands of a block, in order: without comments, prompts and settings of the environment. */
export function commandsOf(code: string): Command[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/^\$ /, '').replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/&&|;|\|/))
    .map(words)
    .map((all) => all.slice(all.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter(([first]) => first !== undefined)
    .map((all) => {
      const [program = '', ...args] = all[0] === 'npx' ? all.slice(1) : all;
      return { program, args: beforeRedirection(args) };
    });
}

/** The options in the text of `--help`, each with whether it takes a value. */
export function optionsOf(help: string): Map<string, boolean> {
  const options = new Map<string, boolean>();
  for (const [, names = '', value] of help.matchAll(/^ {2}((?:-\w, )?--[\w-]+|-\w)( <[^>]+>)?/gm)) {
    for (const name of names.split(', ')) options.set(name, value !== undefined);
  }
  return options;
}

/** What is wrong with the arguments of a command, by its `--help`. */
export function misuse(args: readonly string[], help: string): string[] {
  const options = optionsOf(help);
  const [usage = ''] = help.split('\n');
  const wanted = usage.match(/<[^>]+>/g)?.length ?? 0;
  const wrong: string[] = [];
  let given = 0;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!arg.startsWith('-') || arg === '-') {
      given++;
      continue;
    }
    const [name = ''] = arg.split('=');
    const takesValue = options.get(name);
    if (takesValue === undefined) wrong.push(`has no option ${name}`);
    if (takesValue && !arg.includes('=')) i++;
  }
  if (given < wanted) wrong.push(`takes ${usage.slice(usage.indexOf('<'))}, which is not given`);
  if (wanted === 0 && given > 0 && !/\[[a-z]\w*/.test(usage.replace('[options]', ''))) {
    wrong.push(`takes no argument, and is given ${given}`);
  }
  return wrong;
}
