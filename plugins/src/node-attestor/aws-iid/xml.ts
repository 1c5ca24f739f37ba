import { IssuerError } from '@steeple/core';

/** An element of the XML that AWS's older services answer with; attributes, which mean nothing there, are left out. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const MAX_DEPTH = 32;
const TOKEN =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<(?<close>\/?)(?<name>[A-Za-z_][\w.:-]*)[^<>]*?(?<empty>\/?)>|(?<text>[^<]+)/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads a document with one root. No document types, and so no entities of its own.
 *
 * @throws {IssuerError} `unavailable`
 */
export function readXml(text: string): XmlElement {
  const root: Open = { name: '', children: [], text: '' };
  const open = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const groups = TOKEN.exec(text)?.groups;
    const current = open.at(-1);
    if (groups === undefined || current === undefined || open.length > MAX_DEPTH) throw malformed();
    const { close, name, empty, text: characters } = groups;
    if (characters !== undefined) current.text += withoutEntities(characters);
    else if (name === undefined) continue;
    else if (close === '/') {
      if (open.length < 2 || current.name !== name) throw malformed();
      open.pop();
    } else {
      const element: Open = { name, children: [], text: '' };
      current.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  const [only, second] = root.children;
  if (open.length !== 1 || only === undefined || second !== undefined || root.text.trim() !== '') throw malformed();
  return only;
}

/** The element at the end of a path of names, each the first of its name. */
export function elementAt(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => at?.children.find((one) => one.name === name), element);
}

/** The text at the end of a path; undefined if there is none. */
export function textAt(element: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  return elementAt(element, ...path)?.text;
}

/** The members of a list: `item` for EC2, `member` for IAM and others. */
export function membersAt(element: XmlElement | undefined, ...path: readonly string[]): readonly XmlElement[] {
  const { children = [] } = elementAt(element, ...path) ?? {};
  return children.filter(({ name }) => name === 'item' || name === 'member');
}

function withoutEntities(text: string): string {
  return text.replaceAll(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w+);?/g, (_whole, name: string) => {
    if (!name.startsWith('#')) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? '') : fail();
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : fail();
  });
}

function fail(): never {
  throw malformed();
}

function malformed(): IssuerError {
  return new IssuerError('unavailable', "an answer of AWS's API is not readable XML");
}
