/** What onnxrun says of a call that failed. `status` is the name of a status of onnxrun/status.h, as "SHAPE". */
export class OnnxrunError extends Error {
  /**
   * @param {string} status
   * @param {string} message
   * @param {string} [where] the node of the model, or ""
   */
  constructor(status, message, where = '') {
    super(where ? `${where}: ${message}` : message);
    this.name = 'OnnxrunError';
    this.status = status;
    this.where = where;
  }
}
