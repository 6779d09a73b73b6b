/** The job files of clusters: arrays of parts, and one step that joins them. */

/** What a job file says. */
export interface Job {
  readonly file: string;
  readonly out: string;
  readonly parts: number;
  readonly threads: number;
  readonly name: string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A job array for `sbatch`; after it, the results of its parts are joined by the line at its end. */
const slurm = ({ file, out, parts, threads, name }: Job): string => `#!/bin/sh
#SBATCH --job-name=${name}
#SBATCH --array=0-${parts - 1}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=${threads}
#SBATCH --output=${name}-%a.log
#SBATCH --requeue
# Submit it with sbatch. A part that is stopped and queued again goes on from its checkpoints.
# Then join the parts:
#   npx gpn-cli merge ${quoted(out)}/part-* -o ${quoted(out)}
exec npx gpn-cli sweep ${quoted(file)} -o ${quoted(out)}"/part-$SLURM_ARRAY_TASK_ID" --jobs 1
`;

/** A job with indices; its image and its volume are the reader's. */
const kubernetes = ({ file, out, parts, threads, name }: Job): string => `apiVersion: batch/v1
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
        - name: sweep
          image: YOUR-IMAGE # with Node, gpn-cli and ${JSON.stringify(file).slice(1, -1)}
          args:
            - npx
            - gpn-cli
            - sweep
            - ${JSON.stringify(file)}
            - -o
            - ${JSON.stringify(`${out}/part-$(JOB_COMPLETION_INDEX)`)}
            - --shard
            - "${parts}"
            - --jobs
            - "1"
          resources:
            requests: { cpu: "${threads}" }
          volumeMounts:
            - { name: results, mountPath: ${JSON.stringify(out)} }
      volumes:
        - name: results
          persistentVolumeClaim: { claimName: YOUR-CLAIM }
# When all are complete: npx gpn-cli merge ${quoted(out)}/part-* -o ${quoted(out)}
`;

/** The job files by engine. */
export const JOBS = { slurm, kubernetes };
