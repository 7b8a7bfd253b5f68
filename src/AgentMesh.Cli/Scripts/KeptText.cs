using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Scripts;

/// <summary>What a line writes, kept instead of shown. Bytes that are no UTF-8 become replacement characters.</summary>
internal sealed class KeptText : StringWriter
{
    public const int LengthMax = 1024 * 1024;

    public KeptText()
        : base(System.Globalization.CultureInfo.InvariantCulture) => Raw = new Bytes(this);

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>For output that is bytes.</summary>
    public Stream Raw { get; }

    /// <summary>Without the line end that a command puts behind its result.</summary>
    public string Value => ToString().TrimEnd('\n', '\r');

    /// <exception cref="MeshException">AM0226.</exception>
    public override void Write(char value)
    {
        Need(1);
        base.Write(value);
    }

    /// <exception cref="MeshException">AM0226.</exception>
    public override void Write(char[] buffer, int index, int count)
    {
        Need(count);
        base.Write(buffer, index, count);
    }

    /// <exception cref="MeshException">AM0226.</exception>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        Need(buffer.Length);
        base.Write(buffer);
    }

    /// <exception cref="MeshException">AM0226.</exception>
    public override void Write(string? value)
    {
        Need(value?.Length ?? 0);
        base.Write(value);
    }

    private void Need(int more)
    {
        if (GetStringBuilder().Length + more > LengthMax)
        {
            throw new MeshException(CliErrors.KeptTooMuch, $"the line writes more than the {LengthMax} characters that a variable keeps", "keep the output in a file of the device, or look at it with 'job logs'");
        }
    }

    private sealed class Bytes(KeptText text) : Stream
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            char[] chars = new char[_decoder.GetCharCount(buffer, flush: false)];
            text.Write(chars, 0, _decoder.GetChars(buffer, chars, flush: false));
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
