import { packageExtension } from '../../scripts/package.mjs';

export async function setup(project) {
  project.provide('package', process.env.MOE_LAB_VSIX ?? (await packageExtension()));
}
