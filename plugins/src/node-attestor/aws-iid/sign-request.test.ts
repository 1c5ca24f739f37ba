import { expect, it } from 'vitest';
import type { AwsService } from './partition.ts';
import { endpointOf, partitionOf } from './partition.ts';
import { signRequest } from './sign-request.ts';

it('signs as the published example of Signature Version 4 does', () => {
  // From Amazon's test suite: get-vanilla.
  const url = new URL('https://example.amazonaws.com/');
  const endpoint = { service: 'service' as AwsService, region: 'us-east-1', url };
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const request = { endpoint, method: 'GET', url, headers: {}, body: '' } as const;
  const headers = signRequest(request, credentials, Date.UTC(2015, 7, 30, 12, 36) / 1000);
  expect(headers).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      'SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  });
});

it('sorts and escapes the query of what it signs', () => {
  const url = new URL("https://example.amazonaws.com/?b=2&a=x y!'()*&a=%2F");
  const endpoint = { service: 'eks', region: 'us-east-1', url } as const;
  const credentials = { accessKeyId: 'A', secretAccessKey: 'S' };
  const sign = (at: URL) => signRequest({ endpoint, method: 'GET', url: at, headers: {}, body: '' }, credentials, 0);
  const other = new URL('https://example.amazonaws.com/?a=%2F&a=x%20y%21%27%28%29%2A&b=2');
  expect(sign(url)).toEqual(sign(other));
});

it.each([
  ['us-west-2', 'aws', 'https://ec2.us-west-2.amazonaws.com/', 'https://iam.amazonaws.com/', 'us-east-1'],
  [
    'cn-north-1',
    'aws-cn',
    'https://ec2.cn-north-1.amazonaws.com.cn/',
    'https://iam.cn-north-1.amazonaws.com.cn/',
    'cn-north-1',
  ],
  [
    'us-gov-east-1',
    'aws-us-gov',
    'https://ec2.us-gov-east-1.amazonaws.com/',
    'https://iam.us-gov.amazonaws.com/',
    'us-gov-west-1',
  ],
] as const)('knows where %s is asked', (region, partition, ec2, iam, iamRegion) => {
  expect(partitionOf(region)).toBe(partition);
  expect(endpointOf(partition, 'ec2', region, undefined)).toMatchObject({ region, url: new URL(ec2) });
  expect(endpointOf(partition, 'iam', region, undefined)).toMatchObject({ region: iamRegion, url: new URL(iam) });
});
