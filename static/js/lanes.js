/* A browser opens six connections to a server, and a tile that has to be made holds one for seconds. So requests travel
   in lanes: previews have their own and never wait behind tiles in the making, and one connection stays free. */

class Lane {
  constructor(width) {
    this.width = width;
    this.waiting = new Set();
    this.running = new Set();
  }

  /** Queue a task {run(signal) -> Promise, distance}; the nearest to the middle of the view goes first. */
  add(task) {
    this.waiting.add(task);
    queueMicrotask(() => this.#fill());
  }

  /** Forget a task. If it is under way its request is aborted, which the server notices. */
  drop(task) {
    this.waiting.delete(task);
    task.abort?.abort();
  }

  #fill() {
    while (this.running.size < this.width && this.waiting.size) {
      let nearest = null;
      for (const task of this.waiting) if (!nearest || task.distance < nearest.distance) nearest = task;
      this.waiting.delete(nearest);
      this.#start(nearest);
    }
  }

  async #start(task) {
    task.abort = new AbortController();
    this.running.add(task);
    try {
      await task.run(task.abort.signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      task.abort = null;
      this.running.delete(task);
      this.#fill();
    }
  }
}

export const previews = new Lane(2);
export const finals = new Lane(3);
