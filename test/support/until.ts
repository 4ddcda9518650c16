/** Resolves when `isSo()` is true. The test's own timeout is the limit. */
export async function until(isSo: () => boolean, everyMs = 10): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, everyMs))
}
