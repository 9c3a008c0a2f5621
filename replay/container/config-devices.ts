/**
 * The devices that are plugged into a machine, to and from the settings that a trace holds. Images of disks stand in
 * the trace as drive0, drive1, … in the order of the devices. Checks what comes out of a file.
 */
import type { VirtioConfig } from '../../engine/index.ts';
import { type Trace, type TraceDevice, TraceError } from '../../traces/index.ts';

/** What a trace holds about devices. */
export function traceDevices(virtio: readonly VirtioConfig[]): TraceDevice[] {
  let drives = 0;
  return virtio.map((device): TraceDevice => {
    const { kind, slot } = device;
    if (device.kind === 'block') {
      const { readOnly, serial } = device;
      return { kind, slot, settings: { image: `drive${drives++}`, readOnly: readOnly ? 'on' : 'off', serial } };
    }
    if (device.kind === 'net') return { kind, slot, settings: { mac: device.mac, cable: device.cable } };
    return { kind, slot, settings: {} };
  });
}

/** The devices of a trace's machine. @throws TraceError `damaged` when one is unknown, `no-image` without its disk */
export function virtioFromTrace(trace: Trace, devices: readonly TraceDevice[]): VirtioConfig[] {
  return devices.map((device) => {
    const found = deviceFromTrace(trace, device);
    if (found) return found;
    const what = `the device in slot ${device.slot} is not one that this dejavm knows (${device.kind})`;
    throw new TraceError('damaged', trace.path, what);
  });
}

function deviceFromTrace(trace: Trace, device: TraceDevice): VirtioConfig | undefined {
  const { kind, slot } = device;
  if (kind === 'console' || kind === 'entropy') return { kind, slot };
  if (kind === 'net') return netFromTrace(device);
  return kind === 'block' ? blockFromTrace(trace, device) : undefined;
}

function netFromTrace({ slot, settings: { mac, cable } }: TraceDevice): VirtioConfig | undefined {
  if (mac === undefined || (cable !== 'switch' && cable !== 'outside')) return undefined;
  return { kind: 'net', slot, mac, cable };
}

function blockFromTrace(trace: Trace, { slot, settings }: TraceDevice): VirtioConfig | undefined {
  const { image: role, readOnly, serial } = settings;
  if (role === undefined || serial === undefined) return undefined;
  const image = trace.image(role);
  if (!image) throw new TraceError('no-image', trace.path, `has no image of disk ${role}; record the run again`);
  return { kind: 'block', slot, image, readOnly: readOnly === 'on', serial };
}
