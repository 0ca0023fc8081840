/** Numbers for people. */

const MEBIBYTE = 1024 * 1024;

/** 83.4 -> "1:23" */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** 3.62 -> "3.6 s", 83 -> "1:23 min" */
export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${clock(seconds)} min`;
}

/** 412 -> "412 ms", 1540 -> "1.5 s" */
export function elapsed(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** 0.1234 -> "12 %"; what is more than nothing never reads as nothing. */
export function percent(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(100 * share)} %`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MB`;
}
