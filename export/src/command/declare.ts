/**
 * What a command takes, declared once: commander gets its options from the declaration, and
 * TypeScript the types of their values. Nothing but commander is loaded by these files.
 */
import { Option } from 'commander';

/** An option whose value has the type T. */
export interface Spec<T> {
  readonly option: Option;
  /** Never set: it carries the type. */
  readonly value?: T;
}

type Specs = Readonly<Record<string, Spec<unknown>>>;

/** What a command takes: an argument (`<one>`, `[one or none]`, `<several...>`, `[any number...]`) and options by names. */
export interface Declaration<A extends string, S extends Specs> {
  readonly argument?: readonly [name: A, help: string];
  readonly options: S;
  /** Words after the program's name, shown at the end of the help. */
  readonly examples: readonly string[];
}

/** Checks a declaration, and keeps its exact type. */
export const declare = <const A extends string = never, S extends Specs = Specs>(
  declaration: Declaration<A, S>,
): Declaration<A, S> => declaration;

type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends Spec<infer T> ? T : never };

/** The options of a declaration as a command receives them. */
export type OptionsOf<D> = D extends { readonly options: infer S } ? ValuesOf<S> : never;

/** What a command is called with: its argument, if it takes one, and its options. */
export type Given<A extends string, S> = [A] extends [never]
  ? [options: ValuesOf<S>]
  : [argument: ArgumentOf<A>, options: ValuesOf<S>];

type ArgumentOf<A> = A extends `${string}...${'>' | ']'}`
  ? string[]
  : A extends `[${string}`
    ? string | undefined
    : string;

/** `--name`: true if given. */
export const flag = (flags: string, help: string): Spec<boolean | undefined> => ({
  option: new Option(flags, help),
});

/** `--no-name`: false if given, true otherwise. */
export const switchedOff = (flags: string, help: string): Spec<boolean> => ({
  option: new Option(flags, help),
});

export const text = (flags: string, help: string): Spec<string | undefined> => ({
  option: new Option(flags, help),
});

/** @param parse makes the value; if the option is given again, from the value before as well */
export const parsed = <T>(
  flags: string,
  help: string,
  parse: (text: string, before: T) => T,
): Spec<T | undefined> => ({ option: new Option(flags, help).argParser(parse) });

export const choice = <const T extends string>(
  flags: string,
  help: string,
  choices: readonly T[],
): Spec<T | undefined> => ({ option: new Option(flags, help).choices(choices) });

export const required = <T>({ option }: Spec<T>): Spec<NonNullable<T>> => ({
  option: option.makeOptionMandatory(),
});

export const withDefault = <T>(
  { option }: Spec<T>,
  value: NonNullable<T>,
): Spec<NonNullable<T>> => ({ option: option.default(value) });

/** An option that cannot be given together with these, named as in the declaration. */
export const conflicting = <T>({ option }: Spec<T>, ...names: string[]): Spec<T> => ({
  option: option.conflicts(names),
});
