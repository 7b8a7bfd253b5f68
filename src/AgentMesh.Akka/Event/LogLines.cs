namespace Akka.Event;

/// <summary>Lines with arguments: where their level is off nothing is boxed and no array made.</summary>
internal static class LogLines
{
    /// <param name="cause">Null for none.</param>
    public static void Write(ILoggingAdapter log, LogLevel level, Exception? cause, string format, object[] args)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, args));
    }

    public static void Write<T1>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!]));
    }

    public static void Write<T1, T2>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1, T2 arg2)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!, arg2!]));
    }

    public static void Write<T1, T2, T3>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1, T2 arg2, T3 arg3)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!, arg2!, arg3!]));
    }

    public static void Write<T1, T2, T3, T4>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1, T2 arg2, T3 arg3, T4 arg4)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!, arg2!, arg3!, arg4!]));
    }

    public static void Write<T1, T2, T3, T4, T5>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!, arg2!, arg3!, arg4!, arg5!]));
    }

    public static void Write<T1, T2, T3, T4, T5, T6>(ILoggingAdapter log, LogLevel level, Exception? cause, string format, T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5, T6 arg6)
    {
        if (log.IsEnabled(level))
            log.Log(level, cause!, new FormattedMessage(log.Formatter, format, [arg1!, arg2!, arg3!, arg4!, arg5!, arg6!]));
    }
}
