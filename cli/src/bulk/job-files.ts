/** The job files of clusters: arrays of parts, and one step that joins them. */
import { isAbsolute } from 'node:path';

/** A word of a command; `part` is followed by the number of a part, `all` stands for those of all parts. */
export type Word = string | { readonly part: string } | { readonly all: string };

/** What a job file says. */
export interface JobFile {
  readonly name: string;
  readonly parts: number;
  /** Processors of a part. */
  readonly threads: number;
  /** The words after `gpn-cli` that a part runs. */
  readonly words: readonly Word[];
  /** Those that join the parts. */
  readonly merge: readonly Word[];
  /** The file that the command reads. */
  readonly needs: string;
  /** The folder of the results. */
  readonly out: string;
}

/** A name that clusters take, made of any. */
export const jobName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 50)
    .replace(/-$/, '') || 'job';

const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** A word for a shell. */
const shell = (word: Word): string => {
  if (typeof word === 'string') return quoted(word);
  return 'part' in word ? `${quoted(word.part)}"$SLURM_ARRAY_TASK_ID"` : `${quoted(word.all)}*`;
};

/** A word for a list in YAML, where Kubernetes puts the number in. */
const yaml = (word: Word): string => {
  if (typeof word === 'string') return JSON.stringify(word);
  return JSON.stringify('part' in word ? `${word.part}$(JOB_COMPLETION_INDEX)` : `${word.all}*`);
};

const line = (words: readonly Word[]): string => ['npx', 'gpn-cli', ...words].map(shell).join(' ');

/** A job array for `sbatch`; after it, the results of its parts are joined by the line at its end. */
const slurm = ({ words, merge, parts, threads, name }: JobFile): string => `#!/bin/sh
#SBATCH --job-name=${name}
#SBATCH --array=0-${parts - 1}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=${threads}
#SBATCH --output=${name}-%a.log
#SBATCH --requeue
# Submit it with sbatch. A part that is stopped and queued again goes on from where it was.
# Then join the parts:
#   ${line(merge)}
exec ${line(words)}
`;

/** A job with indices; its image and its volume are the reader's. */
const kubernetes = ({ words, merge, parts, threads, name, needs, out }: JobFile): string => {
  const mount = isAbsolute(out) ? out : '/work';
  const args = ['npx', 'gpn-cli', ...words, '--shard', `${parts}`].map(yaml);
  const folder = isAbsolute(out) ? '' : `\n          workingDir: ${mount} # paths start there`;
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  completionMode: Indexed
  completions: ${parts}
  parallelism: ${parts}
  backoffLimit: ${parts * 3}
  template:
    spec:
      restartPolicy: OnFailure
      containers:
        - name: part
          image: YOUR-IMAGE # with Node and gpn-cli; it also needs ${JSON.stringify(needs).slice(1, -1)}${folder}
          args:
${args.map((arg) => `            - ${arg}\n`).join('')}          resources:
            requests: { cpu: "${threads}" }
          volumeMounts:
            - { name: shared, mountPath: ${JSON.stringify(mount)} }
      volumes:
        - name: shared
          persistentVolumeClaim: { claimName: YOUR-CLAIM }
# When all are complete: ${line(merge)}
`;
};

/** The job files by engine. */
export const JOB_FILES = { slurm, kubernetes };
