/** What a TPM refused, in words. The code is for whoever looks it up (TPM 2.0 library part 2, section 6.6). */
export class TpmError extends Error {
  readonly command: string;
  readonly code: number;

  constructor(command: string, code: number) {
    super(`TPM2_${command} failed: ${wordsFor(code)} (0x${code.toString(16).padStart(3, '0')})`);
    this.name = 'TpmError';
    this.command = command;
    this.code = code;
  }
}

/** RC_VER1 is set for errors of the whole command, RC_FMT1 for those of one handle, session or parameter. */
const FMT1 = 0x080;
const RETRIES: ReadonlySet<number> = new Set([0x908, 0x90a, 0x922]);

/** Whether the TPM asks for the same command again in a moment: yielded, testing, retry. */
export function isRetry(code: number): boolean {
  return RETRIES.has(code);
}

const OF_THE_COMMAND: Readonly<Record<number, string>> = {
  0x01e: 'the device is no TPM 2.0',
  0x100: 'the TPM was not started',
  0x101: 'the TPM is in failure mode',
  0x120: 'the hierarchy or command is disabled',
  0x143: 'the TPM does not know the command',
  0x14a: 'the index cannot be read: it was never written',
  0x902: 'the TPM has no memory for another key: somebody left keys loaded',
  0x903: 'the TPM has no memory for another session',
  0x921: 'the TPM is locked after wrong passwords',
};

const OF_A_PART: Readonly<Record<number, string>> = {
  0x04: 'a value is out of range',
  0x05: 'the hierarchy is disabled or does not fit',
  0x0b: 'the handle does not exist',
  0x0e: 'wrong password',
  0x12: 'a scheme is not supported',
  0x1d: 'the policy does not fit',
  0x1f: 'the integrity check failed: the data was made for another TPM or parent key',
  0x22: 'wrong password',
  0x25: 'the name or size does not fit',
};

function wordsFor(code: number): string {
  if ((code & FMT1) === 0) return OF_THE_COMMAND[code] ?? 'the TPM refused the command';
  return OF_A_PART[code & 0x3f] ?? 'the TPM refused a part of the command';
}
