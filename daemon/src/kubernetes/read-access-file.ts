import { readFile, stat } from 'node:fs/promises';
import { reasonOf } from '../files.ts';
import { KubernetesError } from './kubernetes-error.ts';

const LARGEST = 1024 * 1024;

/**
 * A small text file of the way to a cluster.
 *
 * @throws {KubernetesError} `access`, naming the file
 */
export async function readAccessFile(path: string, what: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > LARGEST) throw new KubernetesError('access', `${what} ${path} is longer than ${LARGEST} bytes`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof KubernetesError) throw cause;
    throw new KubernetesError('access', `${what} ${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (text.trim() === '') throw new KubernetesError('access', `${what} ${path} is empty`);
  return text;
}
