import type { Store } from '../../src/store/store.js'

/** A store that counts how often a folder of versions is read. `instead` may replace its methods. */
export function watchedStore() {
  const seen = { reads: 0, instead: (_name: keyof Store): (() => Promise<unknown>) | undefined => undefined }
  const wrap = (store: Store): Store =>
    new Proxy(store, {
      get(target, name: keyof Store) {
        const instead = seen.instead(name)
        if (instead) return instead
        const value = target[name]
        if (name !== 'names') return typeof value === 'function' ? value.bind(target) : value
        return (folder: string) => {
          if (folder.endsWith('/@v')) seen.reads++
          return target.names(folder)
        }
      },
    })
  return { seen, wrap }
}
