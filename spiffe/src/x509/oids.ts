/** Object identifiers of X.509, with the sections of RFC 5280 that define what they name. */
export const OID = {
  subjectKeyId: '2.5.29.14', // 4.2.1.2
  keyUsage: '2.5.29.15', // 4.2.1.3
  subjectAltName: '2.5.29.17', // 4.2.1.6
  basicConstraints: '2.5.29.19', // 4.2.1.9
  nameConstraints: '2.5.29.30', // 4.2.1.10
  authorityKeyId: '2.5.29.35', // 4.2.1.1
  extKeyUsage: '2.5.29.37', // 4.2.1.12
  issuingDistributionPoint: '2.5.29.28', // 5.2.5
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  extensionRequest: '1.2.840.113549.1.9.14', // RFC 2985 section 5.4.2
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
} as const;
