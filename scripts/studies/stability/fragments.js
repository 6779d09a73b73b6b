/** The networks of a GPN in the study: the generator of all settings, and a judge of fragments. */
import { NETWORKS } from '@gpn/models';

export default ({ baseChannels, ...options }) => ({
  generator: NETWORKS.dcgan({ ...options, baseChannels }).generator,
  discriminator: NETWORKS.gpn(options).discriminator,
});
