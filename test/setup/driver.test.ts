/** How setup provides a driver, as far as that can be seen without installing one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { installedDrivers } from '../../engine/device/software-driver.node.ts';
import { aptPlan } from '../../scripts/setup/apt.ts';
import { unpackDriver } from '../../scripts/setup/swiftshader.ts';
import { tarFiles } from '../../scripts/setup/tar.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'daybreak-driver-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An archive by the system's own tar. */
function tar(name: string, files: Record<string, string>): Buffer {
  const source = join(folder, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(source, file, '..'), { recursive: true });
    writeFileSync(join(source, file), content);
  }
  const { stdout, status } = spawnSync('tar', ['-c', '-f', '-', '-C', source, '.'], { maxBuffer: 2 ** 26 });
  expect(status).toBe(0);
  return stdout;
}

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n';
const STANZA = [
  'Types: deb',
  '# http://snapshot.example/',
  'URIs: http://mirror.example/debian',
  'Suites: bookworm bookworm-updates',
  'Components: main',
  'Signed-By: /usr/share/keyrings/key.gpg',
].join('\n');
const SECURITY = STANZA.replace('bookworm bookworm-updates', 'bookworm-security');

describe('aptPlan', () => {
  test('Debian 12 gets Mesa from the backports of its own mirror', () => {
    const sources = [{ name: 'debian.sources', text: `${SECURITY}\n\n${STANZA}\n` }];
    expect(aptPlan(DEBIAN, sources)).toEqual({
      suite: 'bookworm-backports',
      added: {
        name: 'bookworm-backports.sources',
        text:
          'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n' +
          'Signed-By: /usr/share/keyrings/key.gpg\n',
      },
    });
  });

  test('also where sources are written in lines', () => {
    const text =
      '# deb http://old.example bookworm main\ndeb [arch=amd64] http://mirror.example/debian bookworm main\n';
    expect(aptPlan(DEBIAN, [{ name: 'sources.list', text }]).added).toEqual({
      name: 'bookworm-backports.list',
      text: 'deb [arch=amd64] http://mirror.example/debian bookworm-backports main\n',
    });
  });

  test('adds no source that is there already', () => {
    const backports = { name: 'b.sources', text: STANZA.replace('bookworm bookworm-updates', 'bookworm-backports') };
    const plan = aptPlan(DEBIAN, [{ name: 'debian.sources', text: STANZA }, backports]);
    expect(plan).toEqual({ suite: 'bookworm-backports', added: undefined });
  });

  test.each(['ID=debian\nVERSION_CODENAME=trixie\n', 'ID=ubuntu\nVERSION_CODENAME=jammy\nID_LIKE=debian\n'])(
    '%j has a Mesa that is new enough',
    osRelease => {
      const plan = aptPlan(osRelease, [{ name: 'debian.sources', text: STANZA }]);
      expect(plan).toEqual({ suite: undefined, added: undefined });
    },
  );
});

describe('archives', () => {
  const long = `${'folder/'.repeat(16)}file`; // More than the 100 characters of a header's name.

  test('tarFiles gives what the system’s tar packed', () => {
    const files = { a: '', 'b/c': 'x'.repeat(512), 'b/d': 'grün'.repeat(1000) };
    const found = [...tarFiles(tar('plain', files))].map(({ name, content }) => [
      name,
      new TextDecoder().decode(content),
    ]);
    expect(found.sort()).toEqual(Object.entries(files).map(([name, content]) => [`./${name}`, content]));
  });

  test('an extended header does not derail it', () => {
    const contents = [...tarFiles(tar('long', { [long]: 'content' }))].map(file =>
      new TextDecoder().decode(file.content),
    );
    expect(contents).toContain('content');
  });

  test('a damaged archive is refused', () => {
    const archive = tar('damaged', { a: 'content' });
    archive[600] = archive[600] ^ 1; // In the header of the file, behind that of the folder.
    expect(() => [...tarFiles(archive)]).toThrow('damaged at byte 512');
    expect(() => [...tarFiles(tar('cut', { a: 'x'.repeat(9999) }).subarray(0, 4096))]).toThrow('damaged');
  });

  const packed = (driver: Record<string, string>) => {
    const inner = brotliCompressSync(tar(`driver-${Object.keys(driver).length}`, driver));
    const outer = `package-${Object.keys(driver).length}`;
    mkdirSync(join(folder, outer, 'package/bin'), { recursive: true });
    writeFileSync(join(folder, outer, 'package/bin/swiftshader.tar.br'), inner);
    const { stdout } = spawnSync('tar', ['-c', '-C', join(folder, outer), 'package'], { maxBuffer: 2 ** 26 });
    return gzipSync(stdout);
  };

  test('the driver’s three files are written and nothing else', () => {
    const driver = { 'libvk_swiftshader.so': 'driver', 'vk_swiftshader_icd.json': '{}', 'libvulkan.so.1': 'loader' };
    const target = mkdtempSync(join(folder, 'target-'));
    unpackDriver(packed({ ...driver, 'libEGL.so': 'other' }), target);
    const written = Object.fromEntries(
      readdirSync(target).map(name => [name, readFileSync(join(target, name), 'utf8')]),
    );
    expect(written).toEqual(driver);
  });

  test('a package that lacks one is refused', () => {
    const target = mkdtempSync(join(folder, 'target-'));
    expect(() => unpackDriver(packed({ 'libvk_swiftshader.so': 'driver' }), target)).toThrow(
      'lacks vk_swiftshader_icd.json, libvulkan.so.1',
    );
  });
});

test('installedDrivers looks where the Vulkan loader does', () => {
  const share = join(folder, 'share');
  mkdirSync(join(share, 'vulkan/icd.d'), { recursive: true });
  for (const name of ['b.json', 'a.json', 'README']) writeFileSync(join(share, 'vulkan/icd.d', name), '');
  const manifests = ['a', 'b'].map(name => join(share, `vulkan/icd.d/${name}.json`));
  expect(installedDrivers({ HOME: folder, XDG_DATA_DIRS: `/nowhere:${share}` })).toEqual(
    expect.arrayContaining(manifests),
  );
  expect(installedDrivers({ HOME: folder })).not.toEqual(expect.arrayContaining(manifests));
});

describe.runIf(process.platform === 'linux')('without an adapter', () => {
  const probe = (environment: Record<string, string>) => {
    const { VK_DRIVER_FILES, VK_ICD_FILENAMES, DAYBREAK_ADAPTER, ...rest } = process.env;
    const args = ['--import', 'tsx', 'scripts/setup/probe.ts'];
    return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...rest, ...environment } });
  };

  test('the error names the variable that hides the drivers', () => {
    const { status, stderr } = probe({ VK_DRIVER_FILES: '/no/driver.json' });
    expect(stderr).toContain('No WebGPU adapter was found. VK_DRIVER_FILES restricts Vulkan to');
    expect(status).toBe(2);
  });

  test('of the wanted name, the error lists the others', () => {
    const { status, stderr } = probe({ DAYBREAK_ADAPTER: 'abacus' });
    expect(stderr).toMatch(/No WebGPU adapter with "abacus" in the name\. Available: .+\./);
    expect(status).toBe(1);
  });
});
