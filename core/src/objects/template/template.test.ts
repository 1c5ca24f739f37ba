import { describe, expect, it } from 'vitest';
import { podData } from './kubernetes-types.ts';
import { Template } from './template.ts';

const cluster = { trustDomain: 'example.org', clusterName: 'prod', clusterDomain: 'cluster.local' };
const node = { metadata: { name: 'node1', uid: 'n-1', labels: { zone: 'a' } }, spec: { podCIDR: '10.0.0.0/24' } };
const pod = {
  metadata: {
    name: 'web-1',
    namespace: 'Shop',
    uid: 'p-1',
    labels: { app: 'web', 'app.kubernetes.io/name': 'Web.Front', constructor: 'c' },
    annotations: {},
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: 'r-1' }],
  },
  spec: { serviceAccountName: 'robot', hostNetwork: true, containers: [{ name: 'main', image: 'shop/web:1' }] },
};
const render = (source: string) => new Template('t', source).render(podData(cluster, node, pod));

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    [
      'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
      'spiffe://example.org/ns/Shop/sa/robot',
    ],
    ['{{.ClusterName}}.{{.ClusterDomain}}', 'prod.cluster.local'],
    ['{{ index .PodMeta.Labels "app" }}', 'web'],
    ['{{ index .PodMeta.Labels "none" }}', ''],
    ['{{ .PodMeta.Labels.app }}', 'web'],
    ['{{ .NodeMeta.Name }}/{{ .NodeMeta.UID }}/{{ .NodeSpec.PodCIDR }}', 'node1/n-1/10.0.0.0/24'],
    ['{{ (index .PodMeta.OwnerReferences 0).Name }}', 'web'],
    ['{{ (index .PodSpec.Containers 0).Image }}', 'shop/web:1'],
    ['{{ .PodSpec.HostNetwork }} {{ .PodSpec.HostPID }} {{ len .PodMeta.Name }}', 'true false 5'],
    ['{{ .PodMeta.Namespace | lower }}', 'shop'],
    ['{{ index .PodMeta.Labels "app.kubernetes.io/name" | lower | replace "." "-" }}', 'web-front'],
    ['{{ trimPrefix "web-" .PodMeta.Name }}{{ trimSuffix "-1" .PodMeta.Name }}', '1web'],
    ['{{ .PodMeta.Annotations.none | default "fallback" }}', 'fallback'],
    ['{{ default "x" (index .PodMeta.Labels "none") }}', 'x'],
    ['{{ if .PodMeta.Annotations.none }}a{{ else if eq .PodMeta.Name "web-1" }}b{{ else }}c{{ end }}', 'b'],
    ['{{ with .PodMeta }}{{ .Name }}@{{ $.ClusterName }}{{ end }}', 'web-1@prod'],
    ['{{ if and .PodSpec.HostNetwork (not .PodSpec.HostPID) }}yes{{ end }}', 'yes'],
    ['{{ if or (eq .PodMeta.Name "a" "web-1") (index .PodMeta.OwnerReferences 9) }}yes{{ end }}', 'yes'],
    ['{{ printf "%s-%s-%d%%" .PodMeta.Name "x" 7 }}', 'web-1-x-7%'],
    ['a  {{- " b " -}}  c', 'a b c'],
    ['a {{/* nothing */}} b{{- /* trims */ -}} c', 'a  bc'],
    ['{{ `raw\\n` }}{{ "tab\\t" }}', 'raw\\ntab\t'],
    ['{{ print 1 2 "x" 3 4 }}', '1 2x3 4'],
    ['{{ trunc 3 .PodMeta.Name }} {{ hasPrefix "web" .PodMeta.Name }} {{ ternary "a" "b" true }}', 'web true a'],
    ['{{ splitList "." "a.b.c" | last }}{{ join "-" (splitList "." "a.b") }}', 'ca-b'],
  ])('%s', (source, text) => expect(render(source)).toBe(text));

  it.each([
    ['{{ .PodMeta.Nmae }}', 't at 1:4: there is no "Nmae" in the metadata of an object'],
    ['{{ .constructor }}', 'there is no "constructor"'],
    ['{{ .PodMeta.Labels.none }}', 't at 1:4: there is no such key; use `default` or `if`'],
    ['{{ .PodMeta.Labels.toString }}', 'there is no such key'],
    ['{{ .PodMeta }}', 'the metadata of an object cannot be printed'],
    ['{{ .PodMeta.Name.First }}', 'a text has no field "First"'],
    ['{{ index .PodMeta.OwnerReferences 1 }}', 't at 1:4: index: index 1 is out of range: there are 1'],
    ['a\nb {{ eq 1 "1" }}', 't at 2:6: eq: a number and a text cannot be compared'],
    ['{{ lower 1 }}', 'lower: takes a text, not a number'],
  ])('%s has no value', (source, message) => expect(() => render(source)).toThrow(message));

  it.each([
    ['{{ .A ', 't at 1:1: an action is not closed'],
    ['{{ env "HOME" }}', 't at 1:4: function "env" is not supported'],
    ['{{ constructor "a" }}', 'function "constructor" is not supported'],
    ['{{ range .PodMeta.Labels }}x{{ end }}', '"range" is not supported'],
    ['{{ $x := 1 }}', 'variables are not supported'],
    ['{{ template "x" }}', '"template" is not supported'],
    ['{{ if .A }}x', '"if" has no "end"'],
    ['x{{ end }}', 't at 1:2: unexpected "end"'],
    ['{{ if .A }}{{ else }}{{ else }}{{ end }}', 'a second "else"'],
    ['{{ .A .B }}', 'only a function takes arguments'],
    ['{{ "a" | .B }}', 'must be a function'],
    ['{{ (.A }}', '")" is missing'],
    ['{{ }}', 'a value is missing'],
    ['{{ "\\q" }}', 'escape'],
    ['{{/* a */ }}', 'unexpected "/"'],
    ['{{ % }}', 'unexpected "%"'],
    ['{{ if .A }}'.repeat(40), 'nested too deeply'],
    [`{{ ${'('.repeat(40)}1`, 'not closed'],
    [`{{ ${'('.repeat(40)}1 }}`, 'nested too deeply'],
    ['x'.repeat(20_000), 'at most 16384 characters'],
  ])('%s is refused when it is read', (source, message) => expect(() => new Template('t', source)).toThrow(message));

  it('tells which fields it reads, and shows what it prints', () => {
    const source =
      '{{ if .A.B }}{{ index .PodMeta.Labels "app" | lower }}{{ with $.C }}{{ .D }}{{ else }}{{ .E }}{{ end }}{{ end }}{{ (index .F 0).G }}{{ . }}';
    const fields = [['A', 'B'], ['PodMeta', 'Labels'], ['C'], ['E'], ['F'], []];
    expect(new Template('t', source).fields).toEqual(fields);
    const seen: unknown[] = [];
    const template = new Template('t', 'a{{ .ClusterName }}{{ with .PodMeta }}{{ .Name }}{{ end }}{{ "x" }}');
    const text = template.render(podData(cluster, node, pod), (...shown) => seen.push(shown));
    expect(text).toBe('aprodweb-1x');
    expect(seen).toEqual([
      ['prod', [['ClusterName']]],
      ['web-1', [['Name']]],
      ['x', []],
    ]);
    const refuse = (): never => {
      throw new RangeError('no');
    };
    expect(() => template.render(podData(cluster, node, pod), refuse)).toThrow(RangeError);
  });
});
