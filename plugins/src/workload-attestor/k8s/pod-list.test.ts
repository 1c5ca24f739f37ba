import { describe, expect, it } from 'vitest';
import { PodList } from './pod-list.ts';
import { podJson, UID } from './pods-for-tests.ts';

const read = (value: unknown, broken: string[] = []) =>
  new PodList(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), (why) => broken.push(why));

describe('the list of pods', () => {
  it('finds containers without the name of their engine', () => {
    const list = read({ items: [podJson({ other: 'cc' }, { uid: 'other' }), podJson({ main: 'aa', side: 'bb' })] });
    expect(list.container('bb')).toMatchObject({ container: { name: 'side' }, pod: { uid: UID } });
    expect(list.container('containerd://bb')).toBeUndefined();
    expect(list.pod(UID)?.labels).toEqual({ app: 'web' });
    expect(list.pod('shop')).toBeUndefined();
  });

  it('may be empty, as a kubelet writes it that has no pods', () => {
    expect(read({ items: null }).pod(UID)).toBeUndefined();
  });

  it.each(['', 'Unauthorized', '{"items":'])('is not %s', (text) => {
    expect(() => read(text)).toThrow('no list of pods');
  });

  it('is not taken in by ids and UIDs that stand anywhere else', () => {
    const liar = podJson({ main: 'cc' }, { uid: 'liar' });
    const annotations = { a: `"uid":"${UID}"`, b: 'containerd://aa' };
    const ownerReferences = [{ kind: 'Pod', name: 'web-1', uid: UID }];
    const status = { ...liar.status, hostIP: 'aa' };
    const pods = [{ ...liar, status, metadata: { ...liar.metadata, annotations, ownerReferences } }];
    expect(read({ items: pods }).container('aa')).toBeUndefined();
    expect(read({ items: pods }).pod(UID)).toBeUndefined();
    const both = read({ items: [...pods, podJson({ main: 'aa' })] });
    expect(both.container('aa')?.pod.uid).toBe(UID);
    expect(both.pod(UID)?.containers[0]?.id).toBe('aa');
  });

  it('names nobody if it names the same container twice', () => {
    const twice = [podJson({ main: 'aa', side: 'aa' })];
    expect(() => read({ items: twice }).container('aa')).toThrow('two containers');
    const inTwo = [podJson({ main: 'aa' }), podJson({ main: 'aa' }, { uid: 'other' })];
    expect(() => read({ items: inTwo }).container('aa')).toThrow('two containers');
  });

  it.each([
    [{ id: 'aa' }, 'metadata is not an object'],
    [{ id: 'aa', metadata: { uid: '' } }, 'metadata.uid is empty'],
    [{ id: 'aa', metadata: { uid: 1 } }, 'uid is not a text'],
    [{ metadata: { uid: 'aa', labels: { a: 1 } } }, 'labels has a value that is not a text'],
    [{ metadata: { uid: 'aa', labels: [] } }, 'labels is not an object'],
    [{ metadata: { uid: 'aa' }, status: { containerStatuses: {} } }, 'containerStatuses is not a list'],
    [{ metadata: { uid: 'aa' }, status: { containerStatuses: [{ containerID: [] }] } }, 'containerID is not a text'],
  ])('leaves out a pod that is %j', (pod, why) => {
    const broken: string[] = [];
    const list = read({ items: [pod, podJson({ main: 'aa' })] }, broken);
    expect(list.container('aa')?.pod.uid).toBe(UID);
    expect(broken).toEqual([why]);
  });

  it('does not quote a pod that is broken', () => {
    const broken: string[] = [];
    expect(read('{"items":[{secret aa}]}', broken).container('aa')).toBeUndefined();
    expect(broken).toEqual(['it is not JSON']);
  });
});
