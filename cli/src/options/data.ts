import { declare, flag, text } from './declare/spec.js';

export const DATA = declare({
  argument: ['<folder>', 'a folder of pictures (PNG, JPEG, WebP, AVIF, GIF, TIFF)'],
  options: {
    sheet: text(
      '--sheet <file.png>',
      'write a contact sheet: up to 100 of the pictures, made small',
    ),
    json: flag('--json', 'print everything as JSON'),
  },
  examples: ['data photos/', 'data photos/ --sheet sheet.png', 'data photos/ --json'],
});
