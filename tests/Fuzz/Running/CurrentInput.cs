using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace AgentMesh.Fuzz.Running;

/// <summary>The input that is being tried, in a file that outlives the process: a parser that overflows the stack or never ends takes the process with it.</summary>
internal sealed class CurrentInput : IDisposable
{
    private const int Capacity = 1 << 20;
    private const int NameAt = 4;
    private const int BytesAt = 128;

    private static readonly TimeSpan EndsAfter = TimeSpan.FromSeconds(20);

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte[] _head = new byte[BytesAt];
    private readonly Timer? _watch;
    private long _since;

    public CurrentInput(string? path)
    {
        if (path is null)
        {
            return;
        }

        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, Capacity);
        _view = _file.CreateViewAccessor();
        _watch = new Timer(_ => Look(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    public void Set(string target, byte[] input)
    {
        Volatile.Write(ref _since, Stopwatch.GetTimestamp());
        if (_view is null)
        {
            return;
        }

        Array.Clear(_head);
        BinaryPrimitives.WriteInt32LittleEndian(_head, input.Length);
        Encoding.ASCII.GetBytes(target, _head.AsSpan(NameAt));
        _view.WriteArray(0, _head, 0, _head.Length);
        _view.WriteArray(BytesAt, input, 0, Math.Min(input.Length, Capacity - BytesAt));
    }

    /// <summary>What a process that ended was at; null when it tried nothing.</summary>
    public static (string Target, byte[] Input)? Read(string path)
    {
        byte[] all = File.Exists(path) ? File.ReadAllBytes(path) : [];
        int length = all.Length < BytesAt ? 0 : BinaryPrimitives.ReadInt32LittleEndian(all);
        string name = all.Length < BytesAt ? "" : Encoding.ASCII.GetString(all, NameAt, BytesAt - NameAt).TrimEnd('\0');
        return name.Length == 0 || length < 0 || length > all.Length - BytesAt ? null : (name, all[BytesAt..(BytesAt + length)]);
    }

    public void Dispose()
    {
        _watch?.Dispose();
        _view?.Dispose();
        _file?.Dispose();
    }

    private void Look()
    {
        long since = Volatile.Read(ref _since);
        if (since != 0 && Stopwatch.GetElapsedTime(since) > EndsAfter)
        {
            Environment.FailFast($"an input has been tried for more than {EndsAfter.TotalSeconds} s");
        }
    }
}
