#!/usr/bin/env python3
"""check_playback.py BIN_DIR: --play of drumline-generate and drumline-info, on audio devices that are files (ALSA's file plugin).

What reaches the device is what --wav writes, with the song's drums, and nothing else of it, at the written times; Ctrl-C stops at
once and leaves the files; where no device is, nothing is generated."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
import wave

import mido
import numpy

RATE, SNARE, BASS = 44100, 38, 33
SKIPPED = 77
NO_AUDIO = ("this build plays no audio", "this build makes no audio", "no sound font was found")


def fail(message):
    sys.exit(f"FAILED: {message}")


def device(folder, name, target):
    """An environment in which ALSA's default device is a file."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        if target:
            file.write('pcm.!default { type file slave.pcm "null" file "%s" format "raw" }\npcm.null { type null }\n'
                       % target)
    return {**os.environ, "ALSA_CONFIG_PATH": path}


def write_song(path, bars):
    """A snare on the first and third beats, a bass on the second and fourth, at 120 a minute: a note every half second."""
    song = mido.MidiFile(ticks_per_beat=480)
    for channel, name, pitch, first in ((9, "Drums", SNARE, 0), (0, "Bass", BASS, 480)):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name=name))
        if channel == 0:
            track.append(mido.Message("program_change", channel=0, program=33))
        wait = first
        for _ in range(2 * bars):
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=100, time=wait))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=120))
            wait = 840
        song.tracks.append(track)
    song.save(path)


def times_of(path, channel):
    """Seconds at which the file's notes of a channel begin."""
    now, times = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity > 0 and message.channel == channel:
            times.append(now)
    return times


def samples_of_wav(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def is_same(played, wav):
    """libsndfile may round otherwise."""
    return played.shape == wav.shape and numpy.abs(played.astype(int) - wav).max() <= 1


def silent_frames(samples):
    """How many come before the first that is heard."""
    return int(numpy.argmax((numpy.abs(samples.astype(int)) > 16).any(axis=1)))


def begins(samples, seconds):
    """Whether a drum is hit there: within 10 ms it is much louder than just before."""
    at, level = int(seconds * RATE), numpy.abs(samples.astype(float)).max(axis=1)
    before = level[max(0, at - RATE // 100):max(0, at - RATE // 1000)]
    return level[at:at + RATE // 100].max() > max(3 * (before.max() if len(before) else 0), 0.1 * level.max())


def run(program, arguments, environment, status):
    job = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    if job.returncode != status:
        fail(f"{program} {' '.join(arguments)} ended with {job.returncode}: {job.stderr}")
    return job.stderr


def check_heard(bin_dir, folder, song):
    heard_path, new = os.path.join(folder, "heard"), os.path.join(folder, "new")
    environment = device(folder, "file.conf", heard_path)
    said = run(os.path.join(bin_dir, "drumline-generate"),
               ["--config=groovae_2bar_humanize", "--mode=apply", f"--input_midi_1={song}", "--num_outputs=2",
                "--amount=0.3", "--timing_noise=1", "--seed=3", "--wav", "--play", f"--output_dir={new}"], environment, 0)
    midis = sorted(glob.glob(os.path.join(new, "*.mid")))
    if "2 MIDI files and 2 audio files (WAV) in" not in said or said.count("playing ") != 2 or len(midis) != 2:
        fail(f"drumline-generate --play says: {said}")
    heard, at = numpy.fromfile(heard_path, "<i2").reshape(-1, 2), 0
    for midi in midis:
        wav = samples_of_wav(midi[:-3] + "wav")
        at += silent_frames(heard[at:]) - silent_frames(wav)
        played = heard[at:at + len(wav)]
        if not is_same(played, wav):
            fail(f"{midi}: the device got other samples than the WAV file")
        drums, bass = times_of(midi, 9), times_of(midi, 0)
        if len(drums) != 8 or len(bass) != 8:
            fail(f"{midi}: has {len(drums)} drum notes and {len(bass)} of the bass")
        late = [time for time in drums if not begins(played, time)]
        extra = [time for time in bass if begins(played, time)]
        if late or extra:
            fail(f"{midi}: no drum is heard at {late} s, and one at {extra} s, where the bass plays")
        at += len(wav)
    if (numpy.abs(heard[at:].astype(int)) > 1).any():
        fail("the device got more than the files")
    return midis


def check_info(bin_dir, folder, midi):
    heard_path = os.path.join(folder, "heard by info")
    run(os.path.join(bin_dir, "drumline-info"), ["--play", midi], device(folder, "info.conf", heard_path), 0)
    heard, wav = numpy.fromfile(heard_path, "<i2").reshape(-1, 2), samples_of_wav(midi[:-3] + "wav")
    if not is_same(heard[:len(wav)], wav) or numpy.abs(heard[len(wav):]).max() > 1:
        fail("drumline-info --play plays something else than drumline-generate")


def hear_and_interrupt(pipe, job):
    """What a job plays into a pipe, with Ctrl-C once it plays. Whoever plays opens the pipe to see whether it can, closes it, and
    opens it again to play, so an end of the pipe is not the job's."""
    heard, is_sent = b"", False
    file = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    while job.poll() is None:
        try:
            part = os.read(file, 4096)
        except BlockingIOError:
            part = b""
        heard += part
        if not part:
            time.sleep(0.01)
        if len(heard) >= 100000 and not is_sent:
            job.send_signal(signal.SIGINT)
            is_sent = True
    os.close(file)
    if not is_sent:
        fail(f"{job.args[0]} ended with {job.returncode} before it was to be stopped, {len(heard)} bytes played: {job.stderr.read()}")
    return heard


def check_interrupt(bin_dir, folder, song):
    """The device is a pipe: what plays waits until it is read, so that the signal comes while it plays."""
    pipe, new = os.path.join(folder, "pipe"), os.path.join(folder, "stopped")
    os.mkfifo(pipe)
    job = subprocess.Popen([os.path.join(bin_dir, "drumline-generate"), "--config=groovae_2bar_humanize", "--mode=apply",
                            f"--input_midi_1={song}", "--wav", "--play", f"--output_dir={new}"],
                           env=device(folder, "pipe.conf", pipe), stderr=subprocess.PIPE, text=True)
    heard = hear_and_interrupt(pipe, job)
    said = job.communicate()[1]
    wavs = glob.glob(os.path.join(new, "*.wav"))
    whole = samples_of_wav(wavs[0]).nbytes if len(wavs) == 1 else 0
    if job.returncode != -signal.SIGINT or "stopped playing" not in said:
        fail(f"Ctrl-C: ended with {job.returncode}: {said}")
    if not 0 < len(heard) < whole / 2:
        fail(f"Ctrl-C: {len(heard)} of {whole} bytes were played")


def check_refusals(bin_dir, folder, song):
    new, nothing = os.path.join(folder, "nothing"), device(folder, "none.conf", "")
    generate = [f"--input_midi_1={song}", "--config=groovae_2bar_humanize", "--mode=apply", f"--output_dir={new}"]
    for flag, name in (("--play", "default"), ("--play=plughw:7", "plughw:7")):
        said = run(os.path.join(bin_dir, "drumline-generate"), [*generate, flag], nothing, 1)
        if f"'{name}': there is no such device" not in said or "--wav" not in said or os.path.exists(new):
            fail(f"{flag} without a device: {said}")
    said = run(os.path.join(bin_dir, "drumline-info"), ["--play", song], nothing, 1)
    if "there is no such device" not in said:
        fail(f"drumline-info --play without a device: {said}")
    run(os.path.join(bin_dir, "drumline-info"), ["--play", song, song], nothing, 2)


def main():
    bin_dir = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        song, long_song = os.path.join(folder, "song.mid"), os.path.join(folder, "long song.mid")
        write_song(song, 4)
        write_song(long_song, 32)
        there = subprocess.run([os.path.join(bin_dir, "drumline-info"), "--play", song],
                               env=device(folder, "null.conf", os.devnull), capture_output=True, text=True)
        if any(words in there.stderr for words in NO_AUDIO):
            print(f"skipped: {there.stderr.strip()}")
            sys.exit(SKIPPED)
        midis = check_heard(bin_dir, folder, song)
        check_info(bin_dir, folder, midis[0])
        check_interrupt(bin_dir, folder, long_song)
        check_refusals(bin_dir, folder, song)
    print("playback: all is heard as it is written")


if __name__ == "__main__":
    main()
