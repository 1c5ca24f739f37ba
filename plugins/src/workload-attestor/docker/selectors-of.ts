import { dedupeSelectors, type Selector } from '@steeple/core';
import type { InspectedContainer } from './inspected-container.ts';

/** SPIRE's selectors of a container. */
export function selectorsOf(type: string, container: InspectedContainer): readonly Selector[] {
  const { labels, environment, imageName, imageDigest } = container;
  const values = [
    ...Object.entries(labels).map(([key, value]) => `label:${key}:${value}`),
    ...environment.map((variable) => `env:${variable}`),
    ...(imageName === '' ? [] : [`image_id:${imageName}`]),
    ...(imageDigest === undefined ? [] : [`image_config_digest:${imageDigest}`]),
  ];
  return dedupeSelectors(values.map((value) => ({ type, value })));
}
