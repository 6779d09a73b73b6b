/** The rows of results: their columns, and files of them. */
import type { ScoreMeaning } from '@gpn/runtime';
import type { Plan } from './plan.js';

interface Common {
  /** The number of the picture in the list, or of the image; from 0. */
  readonly index: number;
  /** The SHA-256 of the model's file. */
  readonly model: string;
}

/** What is known of a picture or of a fragment of one. */
export interface ScoreRow extends Common {
  readonly image: string;
  /** In pixels of the picture, for a fragment. */
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  /** Null if the model gives no number. */
  readonly score?: number | null;
  readonly meaning?: ScoreMeaning;
  readonly probability?: number;
  readonly p?: number;
  readonly anomalous?: boolean;
  /** Why the picture could not be scored: a sentence. */
  readonly error?: string;
}

/** An image that was drawn. */
export interface SampleRow extends Common {
  readonly seed: number;
  readonly label?: number;
  /** The archive that it is in, relative to the folder of the results. */
  readonly tar: string;
  /** Its name in the archive. */
  readonly file: string;
  /** Of the PNG file. */
  readonly sha256: string;
}

export type Row = ScoreRow | SampleRow;

/** Rows as text, a line of JSON each. */
export const ndjson = (rows: readonly Row[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** How many rows there are, and how many of what. */
export interface Counts {
  readonly rows: number;
  readonly unreadable: number;
  readonly anomalous: number;
}

export const countsOf = (rows: readonly Row[]): Counts => ({
  rows: rows.length,
  unreadable: rows.filter((row) => 'error' in row).length,
  anomalous: rows.filter((row) => 'anomalous' in row && row.anomalous).length,
});

/** A column of a Parquet file. */
interface Column {
  readonly name: string;
  readonly type: 'INT64' | 'INT32' | 'DOUBLE' | 'BOOLEAN' | 'STRING';
  readonly nullable: boolean;
}

const always = (type: Column['type'], ...names: string[]): Column[] =>
  names.map((name) => ({ name, type, nullable: false }));
const maybe = (type: Column['type'], ...names: string[]): Column[] =>
  names.map((name) => ({ name, type, nullable: true }));

/** The columns of a plan's rows. */
export function columnsOf(plan: Plan): Column[] {
  if (plan.kind === 'sample') {
    return [
      ...always('INT64', 'index', 'seed'),
      ...maybe('INT32', 'label'),
      ...always('STRING', 'tar', 'file', 'sha256', 'model'),
    ];
  }
  return [
    ...always('INT64', 'index'),
    ...always('STRING', 'image'),
    ...(plan.fragments ? maybe('INT32', 'x', 'y', 'width', 'height') : []),
    ...maybe('DOUBLE', 'score'),
    ...maybe('STRING', 'meaning'),
    ...maybe('DOUBLE', 'probability', 'p'),
    ...(plan.threshold === undefined ? [] : maybe('BOOLEAN', 'anomalous')),
    ...maybe('STRING', 'error'),
    ...always('STRING', 'model'),
  ];
}
