"""A text model for tests: repeats the prompt, one word each 20 ms, to all callers at the same time.

The prompt "?live" is answered with the number of other requests that run: a cancelled one does not."""
import threading
import time

import numpy as np
import triton_python_backend_utils as pb

INTERVAL_SECONDS = 0.02


class TritonPythonModel:
    def initialize(self, args):
        self.live = 0
        self.lock = threading.Lock()

    def execute(self, requests):
        for request in requests:
            text = pb.get_input_tensor_by_name(request, "text_input").as_numpy()[0].decode()
            limit = pb.get_input_tensor_by_name(request, "max_tokens")
            words = [str(self.live)] if text == "?live" else text.split()
            if limit is not None:
                words = words[: int(limit.as_numpy()[0])]
            threading.Thread(target=self.answer, args=(request.get_response_sender(), words), daemon=True).start()
        return None

    def answer(self, sender, words):
        with self.lock:
            self.live += 1
        try:
            for word in words:
                if sender.is_cancelled():
                    break
                output = np.array([(word + " ").encode()], dtype=object)
                sender.send(pb.InferenceResponse([pb.Tensor("text_output", output)]))
                time.sleep(INTERVAL_SECONDS)
            sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        finally:
            with self.lock:
                self.live -= 1
