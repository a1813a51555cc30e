/** Figures in the few characters that people read: sizes, times, rates. */

const units = ['', 'K', 'M', 'G', 'T', 'P'] as const;

/** `0`, `999`, `1.0K`, `9.7G`, `128M`: as `ls -h`, in powers of 1024, never less than it is. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return String(bytes);
  const tenths = Math.ceil(value * 10) / 10;
  if (tenths < 10) return `${tenths.toFixed(1)}${units[unit]}`;
  const whole = Math.ceil(value);
  return whole === 1024 && unit < units.length - 1
    ? `1.0${units[unit + 1]}`
    : `${whole}${units[unit]}`;
}

/** With its unit, for running text. */
export function displayBytes(bytes: number): string {
  const text = humanBytes(bytes);
  return /\d$/.test(text) ? `${text} B` : `${text}iB`;
}

/** `350 ms`, `1.2 s`, `2:05`, `3:00:12`, `4d 7h`. */
export function humanDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)}d ${hours % 24}h`;
  if (hours > 0) return `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`;
  return `${minutes}:${twoDigits(whole % 60)}`;
}

/** `07`. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `2.4 GB/s`: of storage, so in powers of 1000. */
export function humanRate(bytes: number, seconds: number): string {
  if (seconds <= 0) return '-';
  let value = bytes / seconds;
  let unit = 0;
  const names = ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s'];
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 99.5 || unit === 0 ? Math.round(value) : value.toPrecision(2)} ${names[unit]}`;
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `12%`, `-` of nothing. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${Math.round((100 * part) / whole)}%`;
}
