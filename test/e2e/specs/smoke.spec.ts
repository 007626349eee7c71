import { afterAll, beforeAll, expect, test } from 'vitest';
import { Session } from '../harness/session';

let session: Session;
beforeAll(async () => {
  session = await Session.start({ name: 'smoke' });
});
afterAll(() => session.close());

test('the packaged extension is installed and not yet active in an empty folder', async () => {
  const extension = await session.host.extension('moe-lab.moe-lab');
  expect(extension?.path).toContain('moe-lab.moe-lab-');
  expect(extension?.active).toBe(false);
});

test('its commands are offered in the palette', async () => {
  expect(await session.window.offersCommand('MoE Lab: Create Sample Experiment')).toBe(true);
  await session.window.screenshot('palette');
});

test('its run explorer greets an empty folder', async () => {
  await session.window.openSideBar('MoE Lab');
  await session.window.welcome.getByText('No runs yet').waitFor();
  await session.window.screenshot('empty-folder');
});
