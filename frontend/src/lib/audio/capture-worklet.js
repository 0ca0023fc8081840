// Audio worklet that posts the microphone's samples to the page in blocks, mixed down to mono. A separate file, because the
// Content-Security-Policy allows no worklets from blob: or data: URLs.
const BLOCK_SAMPLES = 2048;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK_SAMPLES);
    this.filled = 0;
    this.port.onmessage = () => this.flush();
  }

  flush() {
    this.port.postMessage({ samples: this.block.slice(0, this.filled), last: true });
    this.filled = 0;
  }

  process([channels]) {
    const length = channels.length ? channels[0].length : 0;
    for (let i = 0; i < length; i += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.block[this.filled] = sum / channels.length;
      this.filled += 1;
      if (this.filled === BLOCK_SAMPLES) {
        this.port.postMessage({ samples: this.block.slice(), last: false });
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('capture', Capture);
