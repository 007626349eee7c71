/** Where onnxruntime-node has a binary, as `process.platform`-`process.arch`. */
const builtFor: readonly string[] = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'];

export function hasRuntime(platform: string, arch: string): boolean {
  return builtFor.includes(`${platform}-${arch}`);
}
