import type { Builder } from '../../graph/builder.js';
import type { Value } from '../../graph/value.js';
import {
  dense,
  laidOut,
  shapeOf,
  type View,
  VOLUME_CHANNELS_FIRST,
  view,
} from '../../graph/view.js';
import { lowerViews, type Table } from '../table.js';
import { type Conv3DAttrs, geometry3D } from './geometry.js';
import { convolution, filterConvolution, transposed } from './nd.js';

/** Convolutions of volumes: TF.js has them channels-last only, filters [d, h, w, in, out]. */

const channelsFirst = (b: Builder, x: View): Value => laidOut(b, x, VOLUME_CHANNELS_FIRST);
const weights = (b: Builder, filter: View): Value => b.Transpose(dense(b, filter), [4, 3, 0, 1, 2]);

export const CONV_3D: Table = {
  Conv3D: lowerViews<{ x: View; filter: View }, Conv3DAttrs>(({ x, filter }, attrs, b) => {
    const { axes } = geometry3D(shapeOf(x), shapeOf(filter), attrs);
    const y = convolution(b, channelsFirst(b, x), weights(b, filter), axes);
    return view(y, VOLUME_CHANNELS_FIRST);
  }),
  Conv3DBackpropInputV2: lowerViews<
    { dy: View; filter: View },
    Conv3DAttrs & { inputShape: number[] }
  >(({ dy, filter }, attrs, b) => {
    const { axes } = geometry3D(attrs.inputShape, shapeOf(filter), attrs);
    const dx = transposed(b, channelsFirst(b, dy), weights(b, filter), axes);
    return view(dx, VOLUME_CHANNELS_FIRST);
  }),
  Conv3DBackpropFilterV2: lowerViews<
    { x: View; dy: View },
    Conv3DAttrs & { filterShape: number[] }
  >(({ x, dy }, attrs, b) => {
    const { axes } = geometry3D(shapeOf(x), attrs.filterShape, attrs);
    const swapped = (v: View) => b.Transpose(channelsFirst(b, v), [1, 0, 2, 3, 4]);
    return view(filterConvolution(b, swapped(x), swapped(dy), axes), [2, 3, 4, 0, 1]);
  }),
};
