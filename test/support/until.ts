/** Resolves when `isSo()` is, or resolves to, true. The test's own timeout is the limit. */
export async function until(isSo: () => boolean | Promise<boolean>, everyMs = 10): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, everyMs))
}

/** The same for two minutes at most, which no busy machine needs. What is not so by then is found by who looks. */
export async function untilLate(isSo: () => boolean | Promise<boolean>, everyMs = 10): Promise<void> {
  const end = performance.now() + 120_000
  await until(async () => (await isSo()) || performance.now() > end, everyMs)
}
