"""Reads event files of TensorBoard by themselves: TFRecords with masked CRC-32C, and protocol buffers by Google's own library from
descriptions of the messages that are written out here."""
import glob
import os
import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

TYPES = {"double": 1, "float": 2, "int64": 3, "int32": 5, "string": 9, "message": 11, "bytes": 12}
# message -> field -> (number, type, whether repeated); a type with a capital is a message.
MESSAGES = {
    "Event": {"wall_time": (1, "double", 0), "step": (2, "int64", 0), "file_version": (3, "string", 0),
              "summary": (5, "Summary", 0), "session_log": (7, "SessionLog", 0)},
    "SessionLog": {"status": (1, "int32", 0)},
    "Summary": {"value": (1, "Value", 1)},
    "Value": {"tag": (1, "string", 0), "simple_value": (2, "float", 0), "image": (4, "Image", 0), "histo": (5, "Histogram", 0),
              "metadata": (9, "Metadata", 0)},
    "Image": {"height": (1, "int32", 0), "width": (2, "int32", 0), "encoded": (4, "bytes", 0)},
    "Histogram": {"min": (1, "double", 0), "max": (2, "double", 0), "num": (3, "double", 0), "sum": (4, "double", 0),
                  "sum_squares": (5, "double", 0), "bucket_limit": (6, "double", 1), "bucket": (7, "double", 1)},
    "Metadata": {"plugin_data": (1, "PluginData", 0)},
    "PluginData": {"plugin_name": (1, "string", 0), "content": (2, "HParamsData", 0)},
    "HParamsData": {"session_start_info": (3, "SessionStart", 0)},
    "SessionStart": {"hparams": (1, "HParam", 1), "start_time_secs": (5, "double", 0)},
    "HParam": {"key": (1, "string", 0), "value": (2, ".google.protobuf.Value", 0)},
}


def make_event_class():
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="events", syntax="proto3",
                                              dependency=["google/protobuf/struct.proto"])
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            added = message.field.add(name=field, number=number, label=3 if repeated else 1, type=TYPES.get(kind, 11))
            if kind not in TYPES:
                added.type_name = kind if kind.startswith(".") else ".events." + kind
    pool = descriptor_pool.DescriptorPool()
    struct_file = descriptor_pb2.FileDescriptorProto()
    struct_pb2.DESCRIPTOR.CopyToProto(struct_file)
    pool.Add(struct_file)
    pool.Add(file)
    found = pool.FindMessageTypeByName("events.Event")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(found)
    return message_factory.MessageFactory(pool).GetPrototype(found)


Event = make_event_class()


def checksum(data):
    """Bit by bit, with the reversed polynomial of Castagnoli."""
    register = 0xffffffff
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82f63b78 if register & 1 else 0)
    register ^= 0xffffffff
    return ((register >> 15 | register << 17) + 0xa282ead8) & 0xffffffff


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    place = 0
    while place < len(data):
        size, = struct.unpack_from("<Q", data, place)
        head, = struct.unpack_from("<I", data, place + 8)
        body = data[place + 12:place + 12 + size]
        tail, = struct.unpack_from("<I", data, place + 12 + size)
        assert head == checksum(data[place:place + 8]), (path, place)
        assert len(body) == size and tail == checksum(body), (path, place)
        yield Event.FromString(body)
        place += 16 + size


def files(folder):
    return sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*")), key=os.path.getmtime)


def events(folder):
    """All events of a folder in order. What a later session repeats is void, as TensorBoard has it."""
    kept = []
    for path in files(folder):
        for number, event in enumerate(records(path)):
            if number == 0:
                assert event.file_version == "brain.Event:2", path
            if event.session_log.status == 1:
                kept = [old for old in kept if old.step < event.step]
            kept.append(event)
    return kept


def scalars(folder):
    """(tag, step) -> value; each may be there once."""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            if not value.HasField("image") and not value.HasField("histo") and not value.HasField("metadata"):
                assert (value.tag, event.step) not in found, (value.tag, event.step)
                found[value.tag, event.step] = value.simple_value
    return found
