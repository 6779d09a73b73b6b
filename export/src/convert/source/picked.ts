/** TF.js models in files that someone has chosen or dropped in a page. */
import { ExportError } from '../../error.js';
import { type ModelFiles, type ModelSource, namesOf, readFrom } from './files.js';
import { refuseForeign } from './foreign.js';

/** What a browser's `File` has, as far as it is needed here. */
export interface PickedFile {
  readonly name: string;
  readonly size: number;
  /** The path in a folder that was chosen. */
  readonly webkitRelativePath?: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Reads a model from files in any order: its model.json, and the weight files that it names.
 * @throws ExportError if a file is missing, damaged, or not a TF.js model
 */
export async function readPicked(files: Iterable<PickedFile>): Promise<ModelFiles> {
  const all = [...files];
  return readFrom(fromPicked(await modelAmong(all), all));
}

/** The file called model.json, or the only .json file that there is. */
async function modelAmong(files: readonly PickedFile[]): Promise<PickedFile> {
  const json = files.filter(({ name }) => /\.json$/i.test(name));
  const named = json.filter(({ name }) => name === 'model.json');
  const [only, ...others] = named.length > 0 ? named : json;
  if (!only) {
    const [first] = files;
    if (first && files.length === 1) refuseForeign(first.name);
    throw new ExportError(
      `There is no model.json among the files: ${files.map(({ name }) => name).join(', ') || 'none'}; choose it together with its weight files.`,
    );
  }
  if (others.length === 0) return only;
  throw new ExportError(
    `There are several models: ${[only, ...others].map(pathOf).join(', ')}; choose one, with its weight files.`,
  );
}

const pathOf = ({ name, webkitRelativePath }: PickedFile): string => webkitRelativePath || name;

const lastPart = (path: string): string => path.split('/').at(-1) as string;

function fromPicked(model: PickedFile, files: readonly PickedFile[]): ModelSource {
  const bytes = async (file: PickedFile) => new Uint8Array(await file.arrayBuffer());
  return {
    path: model.name,
    read: () => bytes(model),
    async weights(name) {
      // The folders in a path are lost where single files are chosen.
      const names = namesOf(name).map(lastPart);
      const file = files.find((each) => names.includes(each.name));
      if (!file) {
        throw new ExportError(
          `The weight file ${lastPart(name)}, which ${model.name} names, is missing: choose it as well.`,
        );
      }
      return {
        path: file.name,
        size: file.size,
        readInto: async (target) => target.set((await bytes(file)).subarray(0, target.length)),
      };
    },
  };
}
