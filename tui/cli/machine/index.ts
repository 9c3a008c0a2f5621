/** From flags to a machine's configuration: images and devices. */
export { DRIVERS, plugIn } from './devices.ts';
export { FIRMWARE_WORDS, loadImages } from './images.ts';
