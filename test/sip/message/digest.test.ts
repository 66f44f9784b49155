import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestAnswer } from '../../../src/sip/message/digest.ts';

const challenge = (algorithm: string): string =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const credentials = {
  user: 'Mufasa',
  password: 'Circle of Life',
  method: 'GET',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

describe('digest', () => {
  it('answers the challenges of RFC 7616 3.9.1', () => {
    const md5 = digestAnswer([challenge('MD5')], credentials) ?? '';
    assert.match(md5, /response="8ca523f5e9506fed4657c9700eebdbec"/);
    const sha = digestAnswer([challenge('SHA-256')], credentials) ?? '';
    assert.match(sha, /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/);
    assert.match(sha, /algorithm=SHA-256, qop=auth, nc=00000001, cnonce="f2/);
    assert.match(sha, /opaque="FQhe/);
  });

  it('answers one without qop as RFC 2069 says', () => {
    const old = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
    const answer = digestAnswer([old], { ...credentials, password: 'Circle Of Life' }) ?? '';
    assert.match(answer, /response="670fd8c2df070c60b045671b8b24ff02"/);
    assert.doesNotMatch(answer, /qop|cnonce/);
  });

  it('takes the first challenge that it can answer', () => {
    assert.match(digestAnswer([challenge('SHA-512-256'), challenge('MD5')], credentials) ?? '', /algorithm=MD5/);
    for (const other of ['Basic realm="x"', challenge('MD5').replace('auth, auth-int', 'auth-int'), 'Digest realm="'])
      assert.equal(digestAnswer([other], credentials), undefined, other);
  });

  it('quotes what needs it', () => {
    const answer = digestAnswer(['Digest realm="a\\"b", nonce="n"'], { ...credentials, user: 'x"y' }) ?? '';
    assert.match(answer, /username="x\\"y", realm="a\\"b"/);
  });
});
