using Akka.Event;
using Akka.TestKit.Internal;
using Akka.TestKit.Internal.StringMatcher;

namespace Akka.TestKit;

/// <summary>Matches messages that reached no actor.</summary>
public sealed class DeadLettersFilter : EventFilterBase
{
    private readonly Predicate<DeadLetter>? _isMatch;

    /// <param name="messageMatcher">Compared with the text of the message.</param>
    /// <param name="sourceMatcher">Compared with the path of the recipient.</param>
    /// <param name="isMatch">Null: any.</param>
    public DeadLettersFilter(IStringMatcher messageMatcher, IStringMatcher sourceMatcher, Predicate<DeadLetter> isMatch = null!)
        : base(messageMatcher, sourceMatcher) => _isMatch = isMatch;

    protected override string FilterDescriptiveName => "DeadLetter";

    protected override bool IsMatch(LogEvent evt) =>
        evt is Warning { Message: DeadLetter letter } && (_isMatch is null || _isMatch(letter)) && InternalDoMatch(evt.LogSource, letter.Message);
}
