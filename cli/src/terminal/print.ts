export { print, printAside, printable } from '@gpn/export/command';
