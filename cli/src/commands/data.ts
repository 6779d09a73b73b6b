import { UserError } from '@gpn/runtime';
import { writeFileAtomic } from '@gpn/training/atomic';
import {
  contactSheet,
  FOREIGN,
  type FolderSurvey,
  type Foreign,
  type PartSurvey,
  surveyFolder,
} from '@gpn/training/pictures';
import { checkWritable } from '../files.js';
import type { DATA } from '../options/data.js';
import type { OptionsOf } from '../options/declare/spec.js';
import { print } from '../terminal/print.js';
import { statusLine } from '../terminal/status.js';
import { table } from '../terminal/table.js';

export async function run(folder: string, options: OptionsOf<typeof DATA>): Promise<void> {
  const { sheet: path, json } = options;
  if (path !== undefined) {
    if (!/\.png$/i.test(path)) throw new UserError(`--sheet ${path} must end in .png.`);
    await checkWritable(path, 'file', '--sheet');
  }
  const line = statusLine(process.stderr);
  const sheet = contactSheet();
  const survey = await surveyFolder(folder, {
    onProgress: (done, total) => line.show(`${done} of ${total} images`),
    onPicture: (picture, index, total) => path && sheet.add(picture, index, total),
  }).finally(line.clear);
  const png = await sheet.toPNG();
  if (path && png) await writeFileAtomic(path, png);
  if (json) print(`${JSON.stringify(survey, null, 2)}\n`);
  else print(printed(survey) + (path && png ? `Contact sheet: ${path}\n` : ''));
}

/** Files, sizes or groups that are printed of a longer list. */
const SHOWN = 5;

/** The first few of a list, and how many more there are. */
const some = (items: readonly string[], separator = ', '): string => {
  const more = items.length - SHOWN;
  return items.slice(0, SHOWN).join(separator) + (more > 0 ? `${separator}and ${more} more` : '');
};

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

function printed(survey: FolderSurvey): string {
  const { folder, count, parts, divided, sizes, medianSide, deep } = survey;
  const { duplicates, unreadable, foreign, others } = survey;
  const foreignKinds = Object.entries(foreign).map(
    ([kind, files]) => `${files.length} ${kind} (${FOREIGN[kind as Foreign]})`,
  );
  const copies = duplicates.reduce((sum, group) => sum + group.length - 1, 0);
  const rows: [title: string, text: string | false][] = [
    ['images', `${count} that can be read`],
    ['parts', divided && parts.map(({ name, count: n }) => `${name} ${n}`).join(', ')],
    ...parts.map((part): [string, string | false] => [
      divided ? `classes of ${part.name}` : 'classes',
      classesOf(part),
    ]),
    ['formats', counted(survey.formats)],
    [
      'modes',
      counted(survey.modes) + (deep > 0 ? `; ${deep} with 16 bits, of which 8 are used` : ''),
    ],
    [
      'sizes',
      `${some(sizes.map(({ width, height, count: n }) => `${width} × ${height} (${n})`))}; the median of the shorter sides is ${medianSide}`,
    ],
    [
      'duplicates',
      copies > 0 &&
        `${copies}: ${some(
          duplicates.map((group) => group.join(' = ')),
          '; ',
        )}`,
    ],
    [
      'unreadable',
      unreadable.length > 0 &&
        `${unreadable.length}: ${some(unreadable.map(({ file, reason }) => `${file} ${reason}`))}`,
    ],
    ['not read', foreignKinds.length > 0 && foreignKinds.join(', ')],
    ['others', others > 0 && `${others} files that are no pictures`],
  ];
  const filled = rows.filter((row): row is [string, string] => row[1] !== false);
  return `${folder}\n${table(filled.map(([title, text]) => [`  ${title}`, text]))}`;
}

const classesOf = ({ classes }: PartSurvey): string | false =>
  classes !== undefined &&
  `${classes.length}: ${classes.map(({ name, count }) => `${name} ${count}`).join(', ')}`;
