/**
 * Goldfish RTC at 0x10_1000, interrupt 11, as QEMU virt has it (hw/rtc/goldfish_rtc.c): nanoseconds since 1970, an
 * alarm, and writable time. Its clock is virtual time plus an offset, which starts as the configured wall-clock base.
 */
import { offsetOf } from '../core/index.ts';
import { type Device, NEVER, type Port } from './device.ts';
import { placeRecord } from './record.ts';
import { getBig, setBig } from './words.ts';

const record = placeRecord('rtc', [
  { name: 'offset', type: 'u64', doc: 'time = ticks + this, ns, modulo 2^64' },
  { name: 'alarm', type: 'u64', doc: 'time of the alarm, ns' },
  { name: 'alarmTicks', type: 'u64', doc: 'when it goes off, in virtual time' },
  { name: 'timeHigh', type: 'u32', doc: 'latched by a read of the low half' },
  { name: 'alarmOn', type: 'u32', doc: '1 while an alarm is set' },
  { name: 'pending', type: 'u32', doc: '1 after it went off, until cleared' },
  { name: 'enabled', type: 'u32', doc: 'interrupt enable' },
]);
const OFFSET = offsetOf(record, 'offset');
const ALARM = offsetOf(record, 'alarm');
const ALARM_TICKS = offsetOf(record, 'alarmTicks');
const TIME_HIGH = offsetOf(record, 'timeHigh');
const ALARM_ON = offsetOf(record, 'alarmOn');
const PENDING = offsetOf(record, 'pending');
const ENABLED = offsetOf(record, 'enabled');

const NS_PER_SECOND = 1_000_000_000n;
const LOW = 0xffffffffn;

export const rtc: Device = {
  name: 'rtc',
  sizeBytes: 0x1000,
  accessSizes: [4],
  record,
  reset(port) {
    setBig(port, OFFSET, BigInt(port.board.wallClock) * NS_PER_SECOND);
    drive(port);
  },
  load(port, offset) {
    switch (offset) {
      case 0x00: {
        const now = time(port);
        port.set(TIME_HIGH, Number(now >> 32n));
        return Number(now & LOW);
      }
      case 0x04:
        return port.get(TIME_HIGH);
      case 0x08:
        return port.get(ALARM);
      case 0x0c:
        return port.get(ALARM + 4);
      case 0x10:
        return port.get(ENABLED);
      case 0x18:
        return port.get(ALARM_ON);
      default:
        return 0;
    }
  },
  store(port, offset, _sizeBytes, value) {
    switch (offset) {
      case 0x00:
        setTime(port, (time(port) & ~LOW) | BigInt(value));
        break;
      case 0x04:
        setTime(port, (time(port) & LOW) | (BigInt(value) << 32n));
        break;
      case 0x08:
        port.set(ALARM, value);
        setAlarm(port);
        break;
      case 0x0c:
        // Software writes the high half first: only the low half sets the alarm.
        port.set(ALARM + 4, value);
        break;
      case 0x10:
        port.set(ENABLED, value & 1);
        break;
      case 0x14:
        port.set(ALARM_ON, 0);
        break;
      case 0x1c:
        port.set(PENDING, 0);
    }
    drive(port);
  },
  deadline: (port) => (port.get(ALARM_ON) ? Number(getBig(port, ALARM_TICKS)) : NEVER),
  tick(port) {
    goOff(port);
    drive(port);
  },
};

const time = (port: Port): bigint => BigInt.asUintN(64, BigInt(port.board.ticks()) + getBig(port, OFFSET));

function setTime(port: Port, value: bigint): void {
  setBig(port, OFFSET, value - BigInt(port.board.ticks()));
}

/** An alarm in the past goes off at once. */
function setAlarm(port: Port): void {
  const now = time(port);
  const alarm = getBig(port, ALARM);
  if (alarm <= now) {
    goOff(port);
    return;
  }
  setBig(port, ALARM_TICKS, BigInt(port.board.ticks()) + (alarm - now));
  port.set(ALARM_ON, 1);
}

function goOff(port: Port): void {
  port.set(ALARM_ON, 0);
  port.set(PENDING, 1);
}

const drive = (port: Port): void => port.board.drive((port.get(PENDING) & port.get(ENABLED)) !== 0);
