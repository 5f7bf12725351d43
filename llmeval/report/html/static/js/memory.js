// What this browser remembers. Private windows and some file: pages may not remember anything.

export const memory = {
  /**
   * @param {string} key
   * @returns {string | null}
   */
  get(key) {
    try {
      return localStorage.getItem(`llmeval.${key}`);
    } catch {
      return null;
    }
  },

  /**
   * @param {string} key
   * @param {string} value
   * @returns {boolean} Whether the browser kept it.
   */
  set(key, value) {
    try {
      localStorage.setItem(`llmeval.${key}`, value);
      return true;
    } catch {
      return false;
    }
  },
};
