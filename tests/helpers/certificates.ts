import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Files in PEM. */
export type Certificates = {
  authority: string;
  server: { certificate: string; key: string };
  client: { certificate: string; key: string };
  /** An authority that signed none of the above. */
  stranger: string;
  remove: () => void;
};

/** Makes an authority, a server's certificate for localhost, and a client's. @throws Error where `openssl` is not installed */
export async function makeCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), 'crux-tls-'));
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
  const path = (name: string) => join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const authority = async (name: string) => {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    await openssl('req', '-x509', ...curve, '-subj', `/CN=${name}`, ...files);
    return path(`${name}.pem`);
  };
  const signed = async (name: string) => {
    writeFileSync(path(`${name}.ext`), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    await openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signing = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
    return { certificate: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  return {
    authority: await authority('authority'),
    server: await signed('server'),
    client: await signed('client'),
    stranger: await authority('stranger'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
