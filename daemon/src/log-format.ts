import { printable, redactFields } from './redact.ts';

/** `text`: logrus' `key=value` line; `json`: one object per line. */
export type LogFormat = 'text' | 'json';

/** One event. `time` is Unix seconds. */
export interface LogRecord {
  readonly time: number;
  readonly level: string;
  readonly message: string;
  /** From the outermost logger to the call. */
  readonly layers: readonly object[];
}

/** The line for an event, with its line feed. Never throws, and one event is never more than one line. */
export function formatRecord(format: LogFormat, record: LogRecord): string {
  const fields = redactFields(record.layers);
  const head = { time: rfc3339(record.time), level: record.level === 'warn' ? 'warning' : record.level };
  const message = printable(record.message);
  return format === 'json' ? jsonLine({ ...head, msg: message }, fields) : textLine({ ...head, msg: message }, fields);
}

function textLine(head: Record<string, string>, fields: Record<string, unknown>): string {
  const pairs = [
    `time=${JSON.stringify(head['time'])}`,
    `level=${head['level']}`,
    `msg=${escapeControls(JSON.stringify(head['msg']))}`,
    ...Object.keys(fields)
      .sort()
      .map((key) => `${bareKey(clash(key))}=${textValue(fields[key])}`),
  ];
  return `${pairs.join(' ')}\n`;
}

function jsonLine(head: Record<string, string>, fields: Record<string, unknown>): string {
  const renamed = Object.entries(fields).map(([key, value]) => [clash(key), value]);
  const entries = [...Object.entries(head), ...renamed].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return `${escapeControls(JSON.stringify(Object.fromEntries(entries)))}\n`;
}

/** As logrus: a field that would hide one of the head's is renamed. */
function clash(key: string): string {
  return key === 'time' || key === 'level' || key === 'msg' ? `fields.${key}` : key;
}

function bareKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
}

function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[A-Za-z0-9\-._/@^+]+$/.test(text) ? text : escapeControls(JSON.stringify(text));
}

/** JSON leaves DEL, C1 controls, bidirectional marks and U+2028/9 as they are; a terminal or log viewer acts on them. */
function escapeControls(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function rfc3339(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString();
}
