import { describe, expect, it } from 'vitest';
import { readPodList } from './pod-list.ts';
import { podJson, UID } from './pods-for-tests.ts';

const read = (value: unknown, broken: string[] = []) =>
  readPodList(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), (why) => broken.push(why));

describe('the list of pods', () => {
  it('finds containers without the name of their engine', () => {
    const list = read({ items: [podJson({ main: 'aa', side: 'bb' })] });
    expect(list.container('bb')?.container.name).toBe('side');
    expect(list.container('containerd://bb')).toBeUndefined();
    expect(list.pod(UID)?.labels).toEqual({ app: 'web' });
  });

  it('may be empty, as a kubelet writes it that has no pods', () => {
    expect(read({ items: null }).pod(UID)).toBeUndefined();
  });

  it.each(['', 'Unauthorized', '{"items":', 'null', '[]', '{}', '"items"', '{"items":{}}', '{"items":1}'])(
    'is not %s',
    (text) => {
      expect(() => read(text)).toThrow('the kubelet answered');
    },
  );

  it('does not quote what the kubelet said', () => {
    expect(() => read('secret')).toThrow(/^(?!.*secret)/);
  });

  it.each([
    [null, 'pod is not an object'],
    [{}, 'metadata is not an object'],
    [{ metadata: { uid: '' } }, 'metadata.uid is empty'],
    [{ metadata: { uid: 1 } }, 'uid is not a text'],
    [{ metadata: { uid: 'x', labels: { a: 1 } } }, 'labels has a value that is not a text'],
    [{ metadata: { uid: 'x', labels: [] } }, 'labels is not an object'],
    [{ metadata: { uid: 'x' }, status: { containerStatuses: {} } }, 'containerStatuses is not a list'],
    [{ metadata: { uid: 'x' }, status: { containerStatuses: [{ containerID: [] }] } }, 'containerID is not a text'],
  ])('leaves out a pod that is %j', (pod, why) => {
    const broken: string[] = [];
    const list = read({ items: [pod, podJson({ main: 'aa' })] }, broken);
    expect(broken).toEqual([why]);
    expect(list.container('aa')?.pod.uid).toBe(UID);
  });
});
