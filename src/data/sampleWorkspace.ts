import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sampleConfigs } from './sample/configs';
import { sampleReadme } from './sample/readme';
import { generateSampleCorpus, type SampleCorpus } from './sampleCorpus';

export interface SampleWorkspace {
  /** Absolute paths of the files written. */
  readonly written: readonly string[];
  /** Absolute paths of the files that were there already and were left as they are. */
  readonly existed: readonly string[];
  readonly entropy: SampleCorpus['entropy'];
}

const SEED = 1;
/** Of training text: more than the sample runs read, so that they learn the grammar and not the text. */
const CORPUS_BYTES = 3 << 18;

/**
 * Writes the sample corpus, three configs and a README into a folder (made if absent). Never overwrites; throws the file system's error
 * where it cannot write.
 */
export async function writeSampleWorkspace(folder: string): Promise<SampleWorkspace> {
  const corpus = generateSampleCorpus(SEED, CORPUS_BYTES);
  const files = [
    ...Object.entries(sampleConfigs).map(([path, text]) => ({ path, text })),
    { path: 'README.md', text: sampleReadme(corpus) },
    ...corpus.files,
  ];
  const written: string[] = [];
  const existed: string[] = [];
  for (const { path, text } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    ((await writeNew(file, text)) ? written : existed).push(file);
  }
  return { written, existed, entropy: corpus.entropy };
}

/** False if the file exists. Exclusive creation, so that nothing is lost even if it appears at this moment. */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
