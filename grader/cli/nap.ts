/** The time in which an idle machine does nothing until a key, the end of the input, or its next event. */
export class Nap {
  #end: () => void = () => {}

  /** Without `ms` it lasts until it is ended. */
  begin(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  end(): void {
    this.#end()
  }
}
